use axum::{Json, Router, routing::get};
use common::Boat;

#[tokio::main]
async fn main() {
    let app = Router::new().route("/", get(|| async { Json(Boat { name: "wherry", crew: 1 }) }));
    let port = std::env::var("PORT").unwrap();
    let listener = tokio::net::TcpListener::bind(format!("0.0.0.0:{port}")).await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
