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
HE = Paper(
    title="Deep residual learning for image recognition",
    authors="He, Zhang, Ren, Sun",
    year=2015,
    url="https://arxiv.org/abs/1512.03385",
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
