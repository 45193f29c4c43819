//! `edge-bundler --wasm <compiled Worker> --out <folder>`: writes `index.js` and `index_bg.wasm`.

use clap::Parser;
use edge_bundler::{Bundle, Tools};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(about, version)]
struct Arguments {
    /// The module that `cargo build --target wasm32-unknown-unknown` made.
    #[arg(long)]
    wasm: PathBuf,
    /// Where `index.js` and `index_bg.wasm` are written; made when it does not exist.
    #[arg(long, visible_alias = "out-dir")]
    out: PathBuf,
    /// The esbuild executable. Never downloaded.
    #[arg(long, env = "ESBUILD_BIN")]
    esbuild: Option<PathBuf>,
    /// The wasm-opt executable of binaryen. Never downloaded.
    #[arg(long, env = "WASM_OPT_BIN")]
    wasm_opt: Option<PathBuf>,
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // a command line tool talks to its terminal
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let made = Tools::found(arguments.esbuild, arguments.wasm_opt).and_then(|tools| {
        Bundle {
            wasm: &arguments.wasm,
            out: &arguments.out,
        }
        .make(&tools)
    });
    match made {
        Ok(sizes) => {
            println!(
                "{}: index.js {} bytes, index_bg.wasm {} bytes",
                arguments.out.display(),
                sizes.script,
                sizes.module
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("edge-bundler: {error}");
            ExitCode::FAILURE
        }
    }
}
