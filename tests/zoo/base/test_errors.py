"""Messages name what was received, and the nearest name or where to look."""

from __future__ import annotations

import pytest

from zoo.base.errors import DlzooError, UsageError, gist, suggestion, unknown

MODELS = ("lenet5", "resnet20", "resnet110")


def test_a_failure_exits_with_1_and_wrong_usage_with_2() -> None:
    assert DlzooError("x").exit_code == 1
    assert UsageError("x").exit_code == 2
    assert issubclass(UsageError, DlzooError)  # one `except` is enough for callers


@pytest.mark.parametrize("typed", ["resnet2", "resnt20", "ResNet20", "RESNET20", "resnet-20"])
def test_the_nearest_name_is_suggested_whatever_its_case(typed: str) -> None:
    assert suggestion(typed, MODELS) == " Did you mean 'resnet20'?"


def test_a_suggestion_keeps_the_case_of_the_real_name() -> None:
    assert suggestion("adam", ["SGD", "Adam"]) == " Did you mean 'Adam'?"


@pytest.mark.parametrize("typed", ["", "transformer"])
def test_nothing_is_suggested_where_nothing_is_near(typed: str) -> None:
    assert suggestion(typed, MODELS) == ""


def test_an_unknown_name_is_quoted_with_the_nearest_one() -> None:
    error = unknown("model", "resnt20", MODELS, see="dlzoo list")
    assert isinstance(error, UsageError)
    assert str(error) == "unknown model 'resnt20'. Did you mean 'resnet20'?"


def test_where_nothing_is_near_the_command_that_lists_them_is_named() -> None:
    error = unknown("model", "transformer", MODELS, see="dlzoo list")
    assert str(error) == "unknown model 'transformer'. See them with: dlzoo list"


def test_where_no_command_lists_them_the_message_does() -> None:
    error = unknown("split", "dev", ["train", "validation", "test"])
    assert str(error) == "unknown split 'dev'. There are: train, validation, test."


def test_the_possibilities_may_be_an_iterator() -> None:
    assert "There are: a, b." in str(unknown("thing", "xyz", iter(["a", "b"])))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("first line\nsecond line", "first line"),
        ("", "ValueError"),
        (
            "in user code:\n\n    File 'a', line 3\n    TypeError: why\n\n    More.",
            "TypeError: why",
        ),
        ("Graph execution error:\n\nDetected at node\n  why\n\t [[{{node x}}]] [Op:f]", "why"),
    ],
)
def test_of_another_librarys_error_the_line_with_the_cause_is_told(text: str, said: str) -> None:
    assert gist(ValueError(text)) == said
