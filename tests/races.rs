//! The races that an intermediate driver must survive, under a few schedules each. More of them:
//! `NDISMUX_SCHEDULES=1000 cargo test -p ndismux-tests --test image races`.

use ndismux_tests::race;

/// Declares a test for each race.
macro_rules! races {
    ($($test:ident = $race:literal;)*) => {$(
        #[test]
        fn $test() {
            race(concat!(module_path!(), "::", stringify!($test)), $race);
        }
    )*

        #[test]
        fn each_race_has_its_test() {
            let tested = [$($race),*];
            for race in ndis_host::lab::race::Race::all() {
                assert!(tested.contains(&race.name), "{}", race.name);
            }
        }
    };
}

races! {
    unbind_against_initialize = "unbind-initialize";
    unbind_against_restart = "unbind-restart";
    unbind_against_requests_and_sends = "unbind-requests-sends";
    unbind_against_status = "unbind-status";
    surprise_removal_against_everything = "pull-everything";
    reconfigure_against_traffic = "reconfigure-traffic";
    reconfigure_against_unbind = "reconfigure-unbind";
    halt_against_receive_returns = "halt-returns";
    d04_pause_against_indication = "pause-indication";
    power_against_requests = "power-requests";
    request_storm_against_pause_power_and_unbind = "request-storm";
    unload_against_everything = "unload-everything";
}
