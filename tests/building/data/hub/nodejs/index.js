require("ms"); require("http").createServer((_, answer) => answer.end("hello\n")).listen(process.env.PORT);
