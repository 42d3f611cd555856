"""Model servers and the clients that speak to them."""
