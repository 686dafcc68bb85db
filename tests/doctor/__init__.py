"""The examination by `tempmail doctor`."""
