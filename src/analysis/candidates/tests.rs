//! Planted trouble, and innocent neighbours.
