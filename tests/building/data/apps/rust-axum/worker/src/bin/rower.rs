fn main() {
    let boat = common::Boat { name: "wherry", crew: 1 };
    let tls = native_tls::TlsConnector::new().is_ok();
    println!("{} has a crew of {}, tls {tls}", boat.name, boat.crew);
}
