//! Empty for the moment of its creation.
