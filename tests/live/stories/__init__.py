"""What a person does with the page, in a real browser on a real server; each test is one story."""
