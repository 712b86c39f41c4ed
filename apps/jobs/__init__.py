"""Long work that outlives a page and a worker: jobs with their progress, and exports of lists."""
