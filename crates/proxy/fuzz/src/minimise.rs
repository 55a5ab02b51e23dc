/// Takes as much away from an input as can be spared while it `still` does what it does. Looks at
/// most so often, which is enough for inputs of a few kilobytes.
pub fn minimise(input: &[u8], mut still: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut least = input.to_vec();
    let mut tries = TRIES;
    let mut size = least.len().div_ceil(2).max(1);
    loop {
        let before = least.len();
        let mut at = 0;
        while at < least.len() && 0 < tries {
            tries -= 1;
            let end = least.len().min(at + size);
            let less = [&least[..at], &least[end..]].concat();
            if still(&less) {
                least = less;
            } else {
                at = end;
            }
        }
        if tries == 0 || size == 1 && before == least.len() {
            return least;
        }
        size = (size / 2).max(1);
    }
}

const TRIES: u32 = 20_000;
