"""The life of a model: found, inspected, loaded, verified, served, retired."""
