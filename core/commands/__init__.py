"""What single commands do, apart from reading their words; imported when called."""
