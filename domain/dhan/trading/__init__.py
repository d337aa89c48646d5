"""What is placed, modified, cancelled and stopped."""
