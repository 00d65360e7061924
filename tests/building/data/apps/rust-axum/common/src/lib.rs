#[derive(serde::Serialize)]
pub struct Boat {
    pub name: &'static str,
    pub crew: u8,
}
