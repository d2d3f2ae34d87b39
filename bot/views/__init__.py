"""What people see: pure functions from the state to Block Kit."""
