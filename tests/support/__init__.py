"""What several tests need: problems, scenario texts, results, processes, a second oracle."""
