"""`wherry doctor`: looks at the machine, Docker, the proxy and the platform's state, and says what to do about each finding."""
