"""Described networks as estimators of scikit-learn: fit, predict and score, in a Pipeline and in cross_val_score.

    from pentary.estimators import PentaryClassifier

    model = PentaryClassifier(hidden=(32,)).fit(x, y)
    print(model.score(x_test, y_test))

Training is that of `pentary train`: evolution strategies in integers, weights of five levels, the same bytes for the
same `random_state` everywhere. Inputs are quantised feature by feature, as fitted in `fit`.
"""

from pentary.estimators.estimators import PentaryClassifier, PentaryRegressor

__all__ = ["PentaryClassifier", "PentaryRegressor"]
