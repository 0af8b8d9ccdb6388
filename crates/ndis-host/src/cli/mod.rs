//! The commands of `ndishost`.

pub mod bench;
pub mod check;
pub mod coverage;
pub mod inspect;
pub mod registry;
pub mod run;
mod verifier;

/// What a command's tests parse its arguments by.
#[cfg(test)]
fn parse<A: clap::Args>(arguments: &[&str]) -> Result<A, clap::Error> {
    use clap::Parser;

    #[derive(Parser)]
    struct Command<A: clap::Args> {
        #[command(flatten)]
        args: A,
    }

    let whole = std::iter::once(&"ndishost").chain(arguments);
    Command::<A>::try_parse_from(whole).map(|command| command.args)
}
