"""Music tagging with FCN-5 and MsE-CNN, and exact views of why a tag was given (Hamidi et al., ML4MD, ICML 2019)."""

__version__ = "0.1.0"
