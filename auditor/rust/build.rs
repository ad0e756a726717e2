//! Copies `rules/` to `OUT_DIR/rules`, from where maturin packs it into `auditor/_data/rules` of the wheel.
use std::{env, fs, io, path::Path};

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    println!("cargo::rerun-if-changed={}", root.display());
    let target = Path::new(&env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?).join("rules");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    if root.is_dir() {
        copy(&root, &target)?;
    }
    Ok(())
}
