//! Draws the README's pictures: `cargo run --example picture` writes examples/screen.svg and
//! themes/pictures. A test checks that they are what the program draws.

#[path = "../tests/support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "../tests/support/picture.rs"]
mod picture;
#[path = "../tests/support/pictures.rs"]
mod pictures;
#[path = "../tests/support/typing.rs"]
mod typing;

fn main() -> std::io::Result<()> {
    for (path, picture) in pictures::all() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, picture)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}
