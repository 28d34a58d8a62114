//! Files the fleet reads.
