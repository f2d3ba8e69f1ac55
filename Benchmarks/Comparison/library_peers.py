"""Peers whose libraries have an interface of their own, as models with `fit` and `predict`.

What a library wants in a form of its own is made of the data in `prepare` and `prepare_rows`, before any clock starts.
"""

import numpy as np


class Libsvm:
    """libsvm itself: an RBF kernel with C=10, the γ of scikit-learn's `scale`, and as much memory for rows."""

    def prepare(self, features, target):
        from libsvm import svm, svmutil

        gamma = 1 / (features.shape[1] * features.var())
        self.parameters = svmutil.svm_parameter(f"-q -c 10 -g {gamma} -m 200")
        return (svm.svm_problem(target, features),)

    def fit(self, problem):
        from libsvm import svmutil

        self.model = svmutil.svm_train(problem, self.parameters)
        return self

    def prepare_rows(self, features):
        from libsvm import svm

        return [svm.gen_svm_nodearray(row)[0] for row in features]

    def predict(self, rows):
        from libsvm.svm import libsvm

        return np.array([int(libsvm.svm_predict(self.model, row)) for row in rows])


class FaissKMeans:
    """k-means of faiss, in single precision."""

    def __init__(self, threads, clusters, iterations, from_first_rows=False):
        import faiss

        faiss.omp_set_num_threads(threads)
        self.clusters, self.iterations, self.from_first_rows = clusters, iterations, from_first_rows

    def prepare(self, features):
        return (np.ascontiguousarray(features, np.float32),)

    def fit(self, features):
        import faiss

        # Without the limits it learns from a sample where a cluster has more than 256 rows.
        self.model = faiss.Kmeans(
            features.shape[1], self.clusters, niter=self.iterations, seed=0, min_points_per_centroid=1,
            max_points_per_centroid=len(features))
        self.model.train(features, init_centroids=features[: self.clusters] if self.from_first_rows else None)
        self.features = features
        return self

    def prepare_rows(self, features):
        return np.ascontiguousarray(features, np.float32)

    def predict(self, rows):
        return self.model.assign(rows)[1]

    @property
    def inertia_(self):
        nearest = self.model.centroids[self.predict(self.features)]
        return float(((self.features.astype(float) - nearest) ** 2).sum())


class Mlpack:
    """A model of mlpack, which names the rows and targets of a fit in its own words."""

    def __init__(self, name, **settings):
        import mlpack

        self.model = getattr(mlpack, name)(**settings)
        self.target = "training_responses" if name == "LinearRegression" else "labels"

    def fit(self, features, target):
        self.model.fit(training=features, **{self.target: target})
        return self

    def predict(self, rows):
        return self.model.predict(test=rows)


class MlpackSoftmax:
    """Multinomial logistic regression of mlpack with a penalty of C = 1, until its L-BFGS ends by itself."""

    def fit(self, features, target):
        import mlpack

        self.model = mlpack.softmax_regression(
            training=features, labels=target, lambda_=1 / len(target), max_iterations=1000)["output_model"]
        return self

    def predict(self, rows):
        import mlpack

        return mlpack.softmax_regression(input_model=self.model, test=rows)["predictions"]


class GlumLogistic:
    """Binary logistic regression of glum with a penalty of C = 1."""

    def fit(self, features, target):
        from glum import GeneralizedLinearRegressor

        self.model = GeneralizedLinearRegressor(family="binomial", alpha=1 / len(target), max_iter=1000)
        self.model.fit(features, target)
        return self

    def predict(self, rows):
        return (self.model.predict(rows) > 0.5).astype(int)
