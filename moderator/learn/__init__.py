"""The assessor: scikit-learn models, the roll, names and guards behind the Classifier port."""
