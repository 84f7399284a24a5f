//! `burn-lca serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use burn_lca::report::page::Served;

use crate::failure::Failure;
use crate::output::put;
use crate::serve::{Site, listen};

/// The page of `report`, kept current in a browser while runs are being recorded.
///
/// Prints the address to open, and serves until it is stopped. What was zoomed to and chosen stays
/// as the runs grow, are killed, resumed or begun anew. Only this machine can reach it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  burn-lca serve artifacts/lca\n\n\
                  From another machine, through a tunnel:\n  \
                  ssh -L 8080:localhost:8080 HOST burn-lca serve artifacts/lca --port 8080")]
pub struct ServeArgs {
    /// The folders of the runs.
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The port to listen at; a free one by default.
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// The IP address to listen at. At another one than that of this machine itself, everybody who
    /// reaches it can read the runs.
    #[arg(long, value_name = "IP", default_value_t = Ipv4Addr::LOCALHOST.into())]
    address: IpAddr,
}

pub fn run(args: &ServeArgs) -> Result<(), Failure> {
    // A wrong path is no run that is yet to come.
    let served = Served::new(args.runs.clone());
    served.open()?;
    let site = Arc::new(Site::new(served));
    let at = listen(args.address, args.port, &site).map_err(|error| Failure::Serve {
        address: format!("{}:{}", args.address, args.port),
        problem: error.to_string(),
    })?;
    put(format!("http://{at}/\n").as_bytes(), None)?;
    match site.newest.keep(&site.served)? {}
}
