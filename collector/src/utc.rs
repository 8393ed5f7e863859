//! Unix time as a UTC date and time of day, without a time-zone library.

/// A moment in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Utc {
    pub(crate) year: u64,
    pub(crate) month: u64,
    pub(crate) day: u64,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
    pub(crate) second: u64,
    pub(crate) nanosecond: u64,
}

const NS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// Days of the 400 years after which the Gregorian calendar repeats.
const DAYS_PER_ERA: u64 = 146_097;
/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH_DAYS: u64 = 719_468;

impl Utc {
    /// The moment `unix_ns` nanoseconds after 1970.
    pub(crate) fn from_unix_ns(unix_ns: u64) -> Self {
        let seconds = unix_ns / NS_PER_SECOND;
        let of_day = seconds % SECONDS_PER_DAY;
        // Years begin in March here, so that the leap day is the last of its year.
        let days = seconds / SECONDS_PER_DAY + EPOCH_DAYS;
        let era = days / DAYS_PER_ERA;
        let day_of_era = days % DAYS_PER_ERA;
        let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
        let year_of_era = (day_of_era - leap_days) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March have 31 30 31 30 31 days, twice and a bit: 153 days for five.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day,
            hour: of_day / 3600,
            minute: of_day / 60 % 60,
            second: of_day % 60,
            nanosecond: unix_ns % NS_PER_SECOND,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(seconds: u64) -> (u64, u64, u64, u64, u64, u64) {
        let utc = Utc::from_unix_ns(seconds * NS_PER_SECOND);
        (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second)
    }

    #[test]
    fn known_moments() {
        assert_eq!(date(0), (1970, 1, 1, 0, 0, 0));
        assert_eq!(date(951_782_400), (2000, 2, 29, 0, 0, 0));
        assert_eq!(date(1_700_000_000), (2023, 11, 14, 22, 13, 20));
        assert_eq!(date(1_735_689_599), (2024, 12, 31, 23, 59, 59));
        assert_eq!(date(4_102_444_800), (2100, 1, 1, 0, 0, 0));
        assert_eq!(Utc::from_unix_ns(u64::MAX).year, 2554);
    }
}
