//! hpcctl
