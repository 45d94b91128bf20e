"""Why a tag was given: exact where the network allows it, estimated and measured where it does not."""
