//! Configures the build of the images. `wdk-build` has linker arguments for a package that is itself
//! an image; here each example is one, so they are told for the examples.

fn main() -> Result<(), wdk_build::ConfigError> {
    for argument in LINK_ARGUMENTS {
        println!("cargo::rustc-link-arg={argument}");
    }
    wdk_build::configure_wdk_library_build()
}

/// What `wdk-build` passes to the linker for a WDM driver.
const LINK_ARGUMENTS: &[&str] = &[
    "/DRIVER",
    "/NODEFAULTLIB",
    "/SUBSYSTEM:NATIVE",
    "/KERNEL",
    "/ENTRY:DriverEntry",
    "/NXCOMPAT",
    "/DYNAMICBASE",
    "/OPT:REF,ICF",
    "/INTEGRITYCHECK",
    "/MANIFEST:NO",
];
