UPDATE drains SET url = seal(url);
