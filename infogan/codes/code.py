"""What every kind of code can do.

The object that makes a code of uniform numbers also scores it under Q, knows its entropy, and says what a person can do
with it. A new kind is a class like those beside this file, with its keys in the schema; nobody else asks which kind
it is.
"""

from typing import Protocol

from torch import Tensor

from infogan.codes.domain import Domain


class Code(Protocol):
    """A part of the generator's input that Q reads back from the image.

    Its *row* is what the generator gets, (N, width); its *value* is what a person calls it, (N, parts of the domain).
    """

    @property
    def name(self) -> str:
        """c1, c2, … in the paper's order."""

    @property
    def domain(self) -> Domain:
        """The values that a person can set it to."""

    @property
    def uniforms(self) -> int:
        """How many numbers in [0, 1) a draw takes, at least one for each part of the domain."""

    @property
    def width(self) -> int:
        """Columns in the generator's input; cosine and sine of the angle where the domain is a circle."""

    @property
    def outputs(self) -> int:
        """Columns in Q's output."""

    @property
    def entropy(self) -> float | Tensor:
        """H(c) in nats, differential for a continuous code; a scalar tensor where the prior is learned."""

    @property
    def groups(self) -> int | None:
        """How many groups the code sorts images into; None for one that sorts into none."""

    def sample(self, u: Tensor) -> Tensor:
        """Rows of the prior: (N, uniforms) numbers in [0, 1) → (N, width), on their device and of their type."""

    def rows(self, values: Tensor) -> Tensor:
        """(N, parts) values of the domain → (N, width) float32."""

    def values(self, rows: Tensor) -> Tensor:
        """(N, width) rows, or means of Q → the (N, parts) values of the domain that they are nearest to."""

    def log_likelihood(self, rows: Tensor, q: Tensor) -> Tensor:
        """log Q(c|x) in nats: (N, width) rows and Q's (N, outputs) → (N,) float32."""

    def refitted_log_likelihood(self, rows: Tensor, q: Tensor) -> Tensor | None:
        """E log Q(c|x), a scalar, at the best constant width of Q where that was fixed beforehand; None elsewhere."""

    def share_read(self, information: float) -> float:
        """L_I in nats as a part of what there is to know: 0 for a Q that does not look at the image, at most 1."""

    def mean(self, q: Tensor) -> Tensor:
        """The code as Q reads it, E[c|x]: (N, outputs) → (N, width) float32."""

    def parameters(self, q: Tensor) -> dict[str, Tensor]:
        """The parameters of Q(c|x) for whoever has the networks alone, by names that start with the code's."""

    def group(self, rows: Tensor) -> Tensor | None:
        """The group of each row or mean, (N, width) → (N,) integers; None for a code without groups."""

    def probabilities(self, q: Tensor) -> Tensor | None:
        """How likely each group is, (N, outputs) → (N, groups); None for a code without groups."""

    def columns(self, mean: Tensor) -> Tensor:
        """What scores of disentanglement take for the code's dimensions: (N, width) means → (N, D) numbers, a group's
        number where there are groups, two for an angle."""

    def unit(self, values: Tensor) -> Tensor | None:
        """(N, parts) values on the scale where what training drew is [-1, 1]; None where they have no order."""
