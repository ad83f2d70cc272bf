"""The papers that the catalogue's architectures come from."""

from zoo.catalog.card import Paper

ROSENBLATT = Paper(
    title="The perceptron: a probabilistic model for information storage and organization",
    authors="Rosenblatt",
    year=1958,
    url="https://doi.org/10.1037/h0042519",
)
COX = Paper(
    title="The regression analysis of binary sequences",
    authors="Cox",
    year=1958,
    url="https://doi.org/10.1111/j.2517-6161.1958.tb00292.x",
)
RUMELHART = Paper(
    title="Learning representations by back-propagating errors",
    authors="Rumelhart, Hinton, Williams",
    year=1986,
    url="https://doi.org/10.1038/323533a0",
)
LECUN = Paper(
    title="Gradient-based learning applied to document recognition",
    authors="LeCun, Bottou, Bengio, Haffner",
    year=1998,
    url="https://doi.org/10.1109/5.726791",
)
KRIZHEVSKY = Paper(
    title="ImageNet classification with deep convolutional neural networks",
    authors="Krizhevsky, Sutskever, Hinton",
    year=2012,
    url="https://doi.org/10.1145/3065386",
)
SIMONYAN = Paper(
    title="Very deep convolutional networks for large-scale image recognition",
    authors="Simonyan, Zisserman",
    year=2014,
    url="https://arxiv.org/abs/1409.1556",
)
SZEGEDY = Paper(
    title="Going deeper with convolutions",
    authors="Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    year=2014,
    url="https://arxiv.org/abs/1409.4842",
)
HE = Paper(
    title="Deep residual learning for image recognition",
    authors="He, Zhang, Ren, Sun",
    year=2015,
    url="https://arxiv.org/abs/1512.03385",
)
SABOUR = Paper(
    title="Dynamic routing between capsules",
    authors="Sabour, Frosst, Hinton",
    year=2017,
    url="https://arxiv.org/abs/1710.09829",
)
ELMAN = Paper(
    title="Finding structure in time",
    authors="Elman",
    year=1990,
    url="https://doi.org/10.1207/s15516709cog1402_1",
)
HOCHREITER = Paper(
    title="Long short-term memory",
    authors="Hochreiter, Schmidhuber",
    year=1997,
    url="https://doi.org/10.1162/neco.1997.9.8.1735",
)
GRAVES = Paper(
    title="Framewise phoneme classification with bidirectional LSTM and other neural network "
    "architectures",
    authors="Graves, Schmidhuber",
    year=2005,
    url="https://doi.org/10.1016/j.neunet.2005.06.042",
)
CHO = Paper(
    title="Learning phrase representations using RNN encoder-decoder for statistical machine "
    "translation",
    authors="Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio",
    year=2014,
    url="https://arxiv.org/abs/1406.1078",
)
KINGMA = Paper(
    title="Auto-encoding variational Bayes",
    authors="Kingma, Welling",
    year=2013,
    url="https://arxiv.org/abs/1312.6114",
)
GOODFELLOW = Paper(
    title="Generative adversarial networks",
    authors="Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio",
    year=2014,
    url="https://arxiv.org/abs/1406.2661",
)
SUTSKEVER = Paper(
    title="Sequence to sequence learning with neural networks",
    authors="Sutskever, Vinyals, Le",
    year=2014,
    url="https://arxiv.org/abs/1409.3215",
)
BAHDANAU = Paper(
    title="Neural machine translation by jointly learning to align and translate",
    authors="Bahdanau, Cho, Bengio",
    year=2014,
    url="https://arxiv.org/abs/1409.0473",
)
RADFORD = Paper(
    title="Language models are unsupervised multitask learners",
    authors="Radford, Wu, Child, Luan, Amodei, Sutskever",
    year=2019,
    url="https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf",
)
VASWANI = Paper(
    title="Attention is all you need",
    authors="Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin",
    year=2017,
    url="https://arxiv.org/abs/1706.03762",
)
MIKOLOV = Paper(
    title="Distributed representations of words and phrases and their compositionality",
    authors="Mikolov, Sutskever, Chen, Corrado, Dean",
    year=2013,
    url="https://arxiv.org/abs/1310.4546",
)
PENNINGTON = Paper(
    title="GloVe: global vectors for word representation",
    authors="Pennington, Socher, Manning",
    year=2014,
    url="https://doi.org/10.3115/v1/D14-1162",
)
HINTON_DIVERGENCE = Paper(
    title="Training products of experts by minimizing contrastive divergence",
    authors="Hinton",
    year=2002,
    url="https://www.cs.toronto.edu/~hinton/absps/tr00-004.pdf",
)
HINTON_DBN = Paper(
    title="A fast learning algorithm for deep belief nets",
    authors="Hinton, Osindero, Teh",
    year=2006,
    url="https://www.cs.toronto.edu/~hinton/absps/fastnc.pdf",
)
HINTON_CODES = Paper(
    title="Reducing the dimensionality of data with neural networks",
    authors="Hinton, Salakhutdinov",
    year=2006,
    url="https://www.cs.toronto.edu/~hinton/absps/science.pdf",
)
BENGIO_GREEDY = Paper(
    title="Greedy layer-wise training of deep networks",
    authors="Bengio, Lamblin, Popovici, Larochelle",
    year=2007,
    url="https://proceedings.neurips.cc/paper/2006/hash/5da713a690c067105aeb2fae32403405-Abstract.html",
)
MASCI = Paper(
    title="Stacked convolutional auto-encoders for hierarchical feature extraction",
    authors="Masci, Meier, Cireşan, Schmidhuber",
    year=2011,
    url="https://doi.org/10.1007/978-3-642-21735-7_7",
)
VINYALS = Paper(
    title="Show and tell: a neural image caption generator",
    authors="Vinyals, Toshev, Bengio, Erhan",
    year=2015,
    url="https://arxiv.org/abs/1411.4555",
)
FEDUS = Paper(
    title="Switch Transformers: scaling to trillion parameter models with simple and efficient "
    "sparsity",
    authors="Fedus, Zoph, Shazeer",
    year=2021,
    url="https://arxiv.org/abs/2101.03961",
)
HO = Paper(
    title="Denoising diffusion probabilistic models",
    authors="Ho, Jain, Abbeel",
    year=2020,
    url="https://arxiv.org/abs/2006.11239",
)
MIRZA = Paper(
    title="Conditional generative adversarial nets",
    authors="Mirza, Osindero",
    year=2014,
    url="https://arxiv.org/abs/1411.1784",
)
SOHN = Paper(
    title="Learning structured output representation using deep conditional generative models",
    authors="Sohn, Lee, Yan",
    year=2015,
    url="https://papers.nips.cc/paper/5775",
)
RADFORD_GAN = Paper(
    title="Unsupervised representation learning with deep convolutional generative adversarial "
    "networks",
    authors="Radford, Metz, Chintala",
    year=2016,
    url="https://arxiv.org/abs/1511.06434",
)
GULRAJANI = Paper(
    title="Improved training of Wasserstein GANs",
    authors="Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville",
    year=2017,
    url="https://arxiv.org/abs/1704.00028",
)
