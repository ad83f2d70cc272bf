"""Image classifiers: convolutional networks and capsules."""

from zoo.catalog.card import ModelCard
from zoo.catalog.papers import HE, KRIZHEVSKY, LECUN, SABOUR, SIMONYAN, SZEGEDY


def _resnet(
    depth: int, parameters: int, macs: int, recipe: str, *, cifar: bool, blocks: str
) -> ModelCard:
    return ModelCard(
        name=f"resnet{depth}",
        family="resnet",
        task="image-classification",
        builder=f"zoo.models.resnet:resnet{depth}",
        paper=HE,
        inputs={"image": (32, 32, 3) if cifar else (224, 224, 3)},
        parameters=parameters,
        macs=macs,
        depth=depth,
        recipe=recipe,
        summary=f"{depth} layers, {blocks}",
        special=(
            "Beyond some depth, plain networks get worse even on their training data.",
            "A block learns only what to add to its input, which a shortcut carries around it.",
            _NOTES[blocks],
        ),
    )


def _vgg(depth: int, parameters: int, macs: int, configuration: str) -> ModelCard:
    return ModelCard(
        name=f"vgg{depth}",
        family="vgg",
        task="image-classification",
        builder=f"zoo.models.vgg:vgg{depth}",
        paper=SIMONYAN,
        inputs={"image": (224, 224, 3)},
        parameters=parameters,
        macs=macs,
        depth=depth,
        recipe="vgg11-digits",
        summary=f"{depth} layers, configuration {configuration}: 3×3 convolutions in five blocks",
        special=(
            "Every convolution is 3×3: two cover as much as one 5×5, three as much as one 7×7,",
            "with fewer weights and more ReLUs. Only the depth is varied (table 1).",
            "At the paper's size nine tenths of the weights are in the fully connected layers.",
        ),
    )


_CIFAR = "basic blocks with option A shortcuts, for 32×32"
_BASIC = "basic blocks with projection shortcuts"
_BOTTLENECK = "bottleneck blocks with projection shortcuts"
_NOTES = {
    _CIFAR: "Shortcuts have no weights: they pad with zeros. ResNet-110 warms up at rate 0.01.",
    _BASIC: "1×1 projections where shapes change. Batch normalisation is poor with tiny batches.",
    _BOTTLENECK: "1×1, 3×3, 1×1: the first has the stride, as published; later versions move it.",
}

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="lenet5",
        family="lenet",
        task="image-classification",
        builder="zoo.models.lenet:lenet5",
        paper=LECUN,
        inputs={"image": (32, 32, 1)},
        parameters=61_706,
        macs=416_520,
        depth=5,
        recipe="lenet5-digits",
        summary="LeNet-5 as it is built today: dense C3, average pooling, softmax",
        special=(
            "Dense layers on pixels are large and must learn a shape at every position separately.",
            "Local receptive fields, shared weights and sub-sampling tolerate small shifts.",
            "As built today: dense C3, plain averaging, softmax. The paper's is lenet5-1998.",
        ),
    ),
    ModelCard(
        name="lenet5-1998",
        family="lenet",
        task="image-classification",
        builder="zoo.models.lenet:lenet5_1998",
        paper=LECUN,
        inputs={"image": (32, 32, 1)},
        parameters=60_000,
        macs=326_520,
        depth=7,
        recipe="lenet5-1998-digits",
        summary="LeNet-5 as published: sparse C3, trainable sub-sampling, RBF outputs",
        special=(
            "It learns by gradients the features that were designed by hand before.",
            "Each map of C3 sees only some maps of S2 (table I), so that maps learn to differ.",
            "Outputs are distances to fixed 7×12 bitmaps of the digits, here under a softmax.",
        ),
    ),
    ModelCard(
        name="alexnet",
        family="alexnet",
        task="image-classification",
        builder="zoo.models.alexnet:alexnet",
        paper=KRIZHEVSKY,
        inputs={"image": (224, 224, 3)},
        parameters=60_965_224,
        macs=724_406_816,
        depth=8,
        recipe="alexnet-digits",
        summary="Five convolutions in two groups, three dense layers, ReLU, dropout",
        special=(
            "ReLUs train several times as fast as tanh; dropout reduces the overfitting.",
            "In conv2, conv4 and conv5 each half sees only its own maps: the paper used two GPUs.",
            "It normalises over neighbouring channels; pooling windows overlap (3×3, stride 2).",
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
        inputs={"image": (224, 224, 3)},
        parameters=13_378_280,
        macs=1_582_671_872,
        depth=22,
        recipe="googlenet-digits",
        summary="Nine inception blocks; two auxiliary heads that only training sees",
        special=(
            "An inception block applies 1×1, 3×3 and 5×5 side by side, behind 1×1 reductions.",
            "Averaging the last maps replaces dense layers: 6,998,552 weights are served.",
            "Two auxiliary heads bring gradient to the middle layers; inference does without them.",
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
        inputs={"image": (28, 28, 1)},
        parameters=8_215_568,
        macs=201_609_216,
        depth=3,
        recipe="capsnet-digits",
        summary="Capsules routed by agreement, a margin loss, and a decoder",
        special=(
            "A capsule's length says whether a class is present; its direction, how it looks.",
            "Capsules send their vectors to higher capsules that agree: three rounds of routing.",
            "A decoder rebuilds the image from the true class's capsule; only training uses it.",
        ),
    ),
)
