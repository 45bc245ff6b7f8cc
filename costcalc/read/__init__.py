"""Readers: each turns a file into a `Model`. Found by suffix, loaded when used."""
