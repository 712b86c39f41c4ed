"""Provider accounts, the ports that providers implement, calls made to them and callbacks received from them."""
