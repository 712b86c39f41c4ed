"""What the simulator can do, apart from HTTP: accounts, prompts, money, faults and callbacks."""
