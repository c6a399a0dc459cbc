"""A classifier and a regressor: see `pentary.estimators`."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary import es
from pentary.es.strategy import Perturb
from pentary.nets.forward import Forward
from pentary.nets.layers import Clamp, Dense, Layer
from pentary.nets.losses import CrossEntropy, Loss, SquaredError
from pentary.nets.network import Input, Sequential
from pentary.nets.products import backend
from pentary.nets.tables import LOGITS, PER_BIT
from pentary.numbers.word import PentaryError
from pentary.support.extras import extra
from pentary.tasks.described.data import Data, Part, Quantisation, fit, fit_targets
from pentary.tasks.described.task import BATCH, NetworkTask

with extra("digits", "the estimators"):
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data

ACTIVATION: Final = 62
"""Greatest activation of a hidden layer, and greatest magnitude of an input."""

Describe = Callable[[int, int], Sequential]
"""Makes a network for some features and results."""


class _Estimator(BaseEstimator):
    """What both estimators share."""

    def __init__(
        self,
        hidden: Sequence[int] = (32,),
        *,
        network: Describe | None = None,
        population: int = 256,
        rank: int = 1,
        steps: int = 300,
        perturb: Perturb = "factored",
        batch: int = BATCH,
        backend: str = "numpy",
        random_state: Any = 0,
    ) -> None:
        """Keep the arguments, which `fit` checks."""
        self.hidden, self.network, self.population, self.rank = hidden, network, population, rank
        self.steps, self.batch, self.backend = steps, batch, backend
        self.perturb: Perturb = perturb
        self.random_state = random_state

    def _describe(self, features: int, results: int, loss: Loss) -> Sequential:
        if self.network is not None:
            return self.network(features, results)
        layers: list[Layer] = []
        for width in self.hidden:
            layers += [Dense(width), Clamp(ACTIVATION, "relu")]
        return Sequential(Input(features, -ACTIVATION, ACTIVATION), *layers, Dense(results), Clamp(LOGITS), loss=loss)

    def _train(self, network: Sequential, x: NDArray[Any], y: NDArray[np.int64], targets: Quantisation | None) -> None:
        """Train a network and keep it with its weights."""
        values = network.input.values()
        if values.shape != (x.shape[1],):
            raise PentaryError(f"the network takes {values}, but the data have {x.shape[1]} features")
        self.inputs_ = fit(x, values.low, values.high, per_feature=True)
        self.targets_, self.network_ = targets, network
        order = np.random.RandomState(0).permutation(len(x))
        part = Part(self.inputs_(x).astype(np.float32)[order], y[order])
        data = Data(part, part, self.inputs_, targets, ())
        gemm = backend(self.backend)
        task = NetworkTask(type(self).__name__, network, data, min(self.batch, len(part)), gemm)
        seed = check_random_state(self.random_state).randint(2**31)
        if isinstance(self.random_state, int | np.integer):
            seed = int(self.random_state)
        parameters = es.Parameters(
            population=self.population, rank=self.rank, steps=self.steps, perturb=self.perturb, seed=seed
        )
        task.check(parameters)
        state = es.init(parameters, task.tensors)
        for _ in range(parameters.steps):
            state = es.tell(parameters, state, task.evaluate(es.ask(parameters, state)))
        self.n_iter_, self.digest_ = state.step, state.digest()
        self.weights_ = es.visible_weights(parameters, state)

    def _checked(self, *data: Any, **how: Any) -> Any:
        """Return data as arrays of finite numbers, checked by scikit-learn."""
        return validate_data(self, *data, **how)

    def _results(self, x: ArrayLike) -> NDArray[np.float32]:
        check_is_fitted(self)
        numbers = self._checked(x, reset=False)
        return Forward(self.network_).centre(self.weights_, self.inputs_(numbers).astype(np.float32))


class PentaryClassifier(ClassifierMixin, _Estimator):
    """A classifier with five-level weights, trained by evolution strategies in integers.

    Args:
        hidden: widths of the hidden layers.
        network: makes the network, called with the numbers of features and of results, in place of `hidden`; its input
            is a row of features.
        population, rank, steps, perturb: of `pentary.es.Parameters`.
        batch: examples on which the members of a step are compared; all if there are fewer.
        backend: what multiplies, "numpy" or "int8".
        random_state: seed, an integer of 32 bits; None takes another one for each fit.

    Attributes:
        classes_: labels.
        network_: description.
        weights_: visible numbers by tensor.
        inputs_: quantisation of the features.
        digest_: of the latent words after training.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Args:
            X: (examples, features) finite numbers.
            y: (examples,) labels.

        Returns:
            The estimator.

        Raises:
            ValueError: the data or an argument make no sense; PentaryError is one.
        """
        x, labels = self._checked(X, y)
        check_classification_targets(labels)
        self.classes_, classes = np.unique(labels, return_inverse=True)
        network = self._describe(x.shape[1], len(self.classes_), CrossEntropy())
        if network.loss.goal != "classification" or network.outputs.size < len(self.classes_):
            raise PentaryError(
                f"the network is none for {len(self.classes_)} classes: its results are {network.outputs}"
            )
        self._train(network, x, classes.astype(np.int64), None)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the labels, (examples,): of the greatest result, of equal ones the first."""
        results = self._of_classes(X)
        return self.classes_[results.argmax(axis=1)]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities, (examples, classes): 2**(result / 25), normalised, as the cross-entropy takes them.

        Raises:
            PentaryError: the network has another loss, whose results are no logarithms.
        """
        results = self._of_classes(X).astype(np.float64)
        if not isinstance(self.network_.loss, CrossEntropy):
            raise PentaryError("only the results of a network with CrossEntropy are probabilities")
        powers = np.exp2((results - results.max(axis=1, keepdims=True)) / PER_BIT)
        return powers / powers.sum(axis=1, keepdims=True)

    def _of_classes(self, x: ArrayLike) -> NDArray[np.float32]:
        results = self._results(x)
        return results[:, : len(self.classes_)]


class PentaryRegressor(RegressorMixin, _Estimator):
    """A regressor with five-level weights, trained by evolution strategies in integers.

    Args:
        hidden: widths of the hidden layers.
        network: makes the network, called with the numbers of features and of results, in place of `hidden`; its input
            is a row of features.
        population, rank, steps, perturb: of `pentary.es.Parameters`.
        batch: examples on which the members of a step are compared; all if there are fewer.
        backend: what multiplies, "numpy" or "int8".
        random_state: seed, an integer of 32 bits; None takes another one for each fit.

    Attributes:
        network_: description.
        weights_: visible numbers by tensor.
        inputs_, targets_: quantisation of the features and of the targets.
        digest_: of the latent words after training.
    """

    def __sklearn_tags__(self) -> Any:
        """Return the tags of scikit-learn, with support of several targets."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Args:
            X: (examples, features) finite numbers.
            y: (examples,) or (examples, outputs) finite numbers.

        Returns:
            The estimator.

        Raises:
            ValueError: the data or an argument make no sense; PentaryError is one.
        """
        x, numbers = self._checked(X, y, multi_output=True, y_numeric=True)
        self._flat = numbers.ndim == 1
        numbers = numbers.reshape(len(numbers), -1).astype(np.float64)
        network = self._describe(x.shape[1], numbers.shape[1], SquaredError())
        if network.loss.goal != "regression" or network.outputs.size != numbers.shape[1]:
            raise PentaryError(f"a network with results {network.outputs} is none for {numbers.shape[1]} targets")
        targets = fit_targets(numbers, network)
        self._train(network, x, targets(numbers), targets)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the results in the units of the targets, (examples,) or (examples, outputs) as these were."""
        results = self._results(X)
        assert self.targets_ is not None, "targets of a regression are quantised"
        numbers = self.targets_.back(results)
        return numbers[:, 0] if self._flat else numbers
