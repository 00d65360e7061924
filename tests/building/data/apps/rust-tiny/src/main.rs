use serde_json::json;
use tiny_http::{Response, Server};

fn main() {
    let page = std::fs::read_to_string("templates/page.html").expect("the template lies beside the program");
    let port = std::env::var("PORT").expect("the platform sets PORT");
    let server = Server::http(format!("0.0.0.0:{port}")).expect("the port is free");
    for request in server.incoming_requests() {
        let answer = json!({"from": "tiny_http", "page": page.trim(), "built_with": option_env!("GREETING")});
        let _ = request.respond(Response::from_string(answer.to_string()));
    }
}
