"""Every model of the zoo in one table: plain data, no Keras.

Parameters and multiply-adds are of the network that its builder makes from its defaults, which is
the paper's; a test builds each and compares to the last digit.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Paper:
    """Where an architecture was published."""

    title: str
    authors: str
    year: int
    url: str


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """One model of the catalogue."""

    name: str
    """What the user types."""
    family: str
    """Models that share a file and a paper; the family's name is an alias of its first card."""
    task: str
    """The kind of work, a name in `zoo.tasks`."""
    builder: str
    """``"module:function"``, imported when the model is built."""
    paper: Paper
    """Where the architecture was published."""
    input_shape: tuple[int, ...]
    """Without the batch axis, at the paper's size."""
    parameters: int
    """Trainable parameters at the paper's size."""
    macs: int
    """Multiply-adds of one forward pass of one example at the paper's size."""
    depth: int = 0
    """Layers with weights on the longest way from input to output; 0 where nobody counted."""
    recipe: str
    """The default recipe's name. One recipe may serve a whole family."""
    summary: str
    """One line."""
    special: tuple[str, ...] = ()
    """What is special about the architecture, in three lines."""


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
HOCHREITER = Paper(
    title="Long short-term memory",
    authors="Hochreiter, Schmidhuber",
    year=1997,
    url="https://doi.org/10.1162/neco.1997.9.8.1735",
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


def _resnet(
    depth: int, parameters: int, macs: int, recipe: str, *, cifar: bool, blocks: str
) -> ModelCard:
    return ModelCard(
        name=f"resnet{depth}",
        family="resnet",
        task="image-classification",
        builder=f"zoo.models.resnet:resnet{depth}",
        paper=HE,
        input_shape=(32, 32, 3) if cifar else (224, 224, 3),
        parameters=parameters,
        macs=macs,
        recipe=recipe,
        summary=f"{depth} layers, {blocks}",
    )


def _vgg(depth: int, parameters: int, macs: int, configuration: str) -> ModelCard:
    return ModelCard(
        name=f"vgg{depth}",
        family="vgg",
        task="image-classification",
        builder=f"zoo.models.vgg:vgg{depth}",
        paper=SIMONYAN,
        input_shape=(224, 224, 3),
        parameters=parameters,
        macs=macs,
        depth=depth,
        recipe="vgg11-digits",
        summary=f"{depth} layers, configuration {configuration}: 3×3 convolutions in five blocks",
        special=(
            "Every convolution is 3×3: two see as far as one 5×5, three as one 7×7,",
            "with fewer weights and a ReLU between them. Depth is the only thing varied (table 1).",
            "Nine tenths of the weights are in the fully connected layers, at the paper's size.",
        ),
    )


_CIFAR = "basic blocks with option A shortcuts, for 32×32"
_BASIC = "basic blocks with projection shortcuts"
_BOTTLENECK = "bottleneck blocks with projection shortcuts"

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="perceptron",
        family="perceptron",
        task="classification",
        builder="zoo.models.perceptron:perceptron",
        paper=ROSENBLATT,
        input_shape=(2,),
        parameters=3,
        macs=2,
        recipe="perceptron-and",
        summary="A step over a weighted sum, trained by the perceptron rule",
    ),
    ModelCard(
        name="logistic-regression",
        family="logistic-regression",
        task="classification",
        builder="zoo.models.logistic:logistic_regression",
        paper=COX,
        input_shape=(28, 28, 1),
        parameters=7_850,
        macs=7_840,
        recipe="logistic-regression-digits",
        summary="One linear layer under a softmax",
    ),
    ModelCard(
        name="mlp",
        family="mlp",
        task="classification",
        builder="zoo.models.mlp:mlp",
        paper=RUMELHART,
        input_shape=(28, 28, 1),
        parameters=238_510,
        macs=238_200,
        recipe="mlp-digits",
        summary="Fully connected layers of any depth, trained by back-propagation",
    ),
    ModelCard(
        name="lenet5",
        family="lenet",
        task="image-classification",
        builder="zoo.models.lenet:lenet5",
        paper=LECUN,
        input_shape=(32, 32, 1),
        parameters=61_706,
        macs=416_520,
        recipe="lenet5-digits",
        summary="LeNet-5 as it is built today: dense C3, average pooling, softmax",
    ),
    ModelCard(
        name="lenet5-1998",
        family="lenet",
        task="image-classification",
        builder="zoo.models.lenet:lenet5_1998",
        paper=LECUN,
        input_shape=(32, 32, 1),
        parameters=60_000,
        macs=326_520,
        recipe="lenet5-1998-digits",
        summary="LeNet-5 as published: sparse C3, trainable sub-sampling, RBF outputs",
    ),
    ModelCard(
        name="alexnet",
        family="alexnet",
        task="image-classification",
        builder="zoo.models.alexnet:alexnet",
        paper=KRIZHEVSKY,
        input_shape=(224, 224, 3),
        parameters=60_965_224,
        macs=724_406_816,
        depth=8,
        recipe="alexnet-digits",
        summary="Five convolutions in two groups, three dense layers, ReLU, dropout",
        special=(
            "ReLUs train several times as fast as tanh; dropout keeps 60 million weights in check.",
            "conv2, conv4 and conv5 see only their own half of the maps: the paper's two GPUs.",
            "Normalisation over neighbouring channels, and poolings that overlap (3×3, 2 apart).",
        ),
    ),
    _vgg(11, 132_863_336, 7_609_090_048, "A"),
    _vgg(13, 133_047_848, 11_308_466_176, "B"),
    _vgg(16, 138_357_544, 15_470_264_320, "D"),
    _vgg(19, 143_667_240, 19_632_062_464, "E"),
    ModelCard(
        name="googlenet",
        family="googlenet",
        task="image-classification",
        builder="zoo.models.googlenet:googlenet",
        paper=SZEGEDY,
        input_shape=(224, 224, 3),
        parameters=13_378_280,
        macs=1_582_671_872,
        depth=22,
        recipe="googlenet-digits",
        summary="Nine inception blocks; two auxiliary heads that only training sees",
        special=(
            "An inception block looks at 1×1, 3×3 and 5×5 at once, behind 1×1 reductions.",
            "Averaging over the last map replaces the dense layers: 6,998,552 weights to serve.",
            "Two auxiliary heads bring the gradient to the middle; they are dropped at inference.",
        ),
    ),
    _resnet(20, 269_722, 40_551_040, "resnet20-digits", cifar=True, blocks=_CIFAR),
    _resnet(32, 464_154, 68_862_592, "resnet20-digits", cifar=True, blocks=_CIFAR),
    _resnet(44, 658_586, 97_174_144, "resnet20-digits", cifar=True, blocks=_CIFAR),
    _resnet(56, 853_018, 125_485_696, "resnet20-digits", cifar=True, blocks=_CIFAR),
    _resnet(110, 1_727_962, 252_887_680, "resnet20-digits", cifar=True, blocks=_CIFAR),
    _resnet(18, 11_689_512, 1_814_073_344, "resnet18-digits", cifar=False, blocks=_BASIC),
    _resnet(34, 21_797_672, 3_663_761_408, "resnet18-digits", cifar=False, blocks=_BASIC),
    _resnet(50, 25_557_032, 3_857_973_248, "resnet50-digits", cifar=False, blocks=_BOTTLENECK),
    _resnet(101, 44_549_160, 7_570_194_432, "resnet50-digits", cifar=False, blocks=_BOTTLENECK),
    _resnet(152, 60_192_808, 11_282_415_616, "resnet50-digits", cifar=False, blocks=_BOTTLENECK),
    ModelCard(
        name="capsnet",
        family="capsnet",
        task="image-classification",
        builder="zoo.models.capsnet:capsnet",
        paper=SABOUR,
        input_shape=(28, 28, 1),
        parameters=8_215_568,
        macs=201_609_216,
        depth=3,
        recipe="capsnet-digits",
        summary="Capsules routed by agreement, a margin loss, and a decoder",
        special=(
            "A capsule's length says whether a class is there, its direction how it looks.",
            "Capsules send their vectors up to where others agree: three rounds of routing.",
            "A decoder rebuilds the image from the true class's capsule; only the loss uses it.",
        ),
    ),
    ModelCard(
        name="lstm",
        family="lstm",
        task="text-classification",
        builder="zoo.models.lstm:lstm",
        paper=HOCHREITER,
        input_shape=(80,),
        parameters=2_691_713,
        macs=10_485_888,
        recipe="lstm-languages",
        summary="Embedding, long short-term memory, one classifier on its last state",
    ),
    ModelCard(
        name="vae",
        family="vae",
        task="generation",
        builder="zoo.models.vae:vae",
        paper=KINGMA,
        input_shape=(28, 28, 1),
        parameters=815_824,
        macs=814_000,
        recipe="vae-digits",
        summary="Gaussian encoder and Bernoulli decoder, trained on the ELBO",
    ),
    ModelCard(
        name="gan",
        family="gan",
        task="generation",
        builder="zoo.models.gan:gan",
        paper=GOODFELLOW,
        input_shape=(28, 28, 1),
        parameters=3_735_425,
        macs=3_729_840,
        recipe="gan-digits",
        summary="A generator against a maxout discriminator, each with its optimizer",
    ),
)
