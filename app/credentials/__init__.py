"""The Secret with every password of a release, made once and never changed."""
