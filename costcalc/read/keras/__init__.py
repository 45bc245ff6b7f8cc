"""Keras models by their configuration: the JSON of `model.to_json()`, or `config.json` in a `.keras` file.

Format: keras.io/api/models/model_saving_apis. Nothing of Keras is needed, nothing is run, weights are not opened.
"""
