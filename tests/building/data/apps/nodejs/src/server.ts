const express = require("express");
const app = express();
app.get("/", (_: unknown, answer: { json(value: object): void }) =>
  answer.json({ node: process.versions.node.split(".")[0], mode: process.env.NODE_ENV, generated: require("../node_modules/generated.js") }),
);
const server = app.listen(Number(process.env.PORT), "0.0.0.0", () => console.log("up"));
process.on("SIGTERM", () => {
  console.log("asked to end");
  server.close(() => process.exit(0));
});
