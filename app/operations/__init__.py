"""What a person on call looks at, as one answer."""
