"""The classics: perceptron, logistic regression and multilayer perceptron."""

from zoo.catalog.card import ModelCard
from zoo.catalog.papers import COX, ROSENBLATT, RUMELHART

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        name="perceptron",
        family="perceptron",
        task="classification",
        builder="zoo.models.perceptron:perceptron",
        paper=ROSENBLATT,
        inputs={"features": (2,)},
        parameters=3,
        macs=2,
        depth=1,
        recipe="perceptron-and",
        half_precision=False,
        summary="A step over a weighted sum, trained by the perceptron rule",
        special=(
            "It learns its weights from examples; earlier model neurons had weights set by hand.",
            "Only a wrong answer changes the weights: the input is added or subtracted.",
            "It converges if a straight line separates the two classes, and never otherwise (xor).",
        ),
    ),
    ModelCard(
        name="logistic-regression",
        family="logistic-regression",
        task="classification",
        builder="zoo.models.logistic:logistic_regression",
        paper=COX,
        inputs={"image": (28, 28, 1)},
        parameters=7_850,
        macs=7_840,
        depth=1,
        recipe="logistic-regression-digits",
        half_precision=False,
        summary="One linear layer under a softmax",
        special=(
            "It gives the probability of a class, not only the side of a boundary.",
            "The log-odds are a weighted sum of the inputs; softmax extends it to many classes.",
            "The loss is convex: any start works. On separable data weights grow without limit.",
        ),
    ),
    ModelCard(
        name="mlp",
        family="mlp",
        task="classification",
        builder="zoo.models.mlp:mlp",
        paper=RUMELHART,
        inputs={"image": (28, 28, 1)},
        parameters=238_510,
        macs=238_200,
        depth=2,
        recipe="mlp-digits",
        half_precision=False,
        summary="Fully connected layers of any depth, trained by back-propagation",
        special=(
            "A perceptron has no hidden units: no rule was known that could train them.",
            "With smooth units the chain rule trains them: gradients go back layer by layer.",
            "The loss is not convex: initial weights matter. Saturated units pass little gradient.",
        ),
    ),
)
