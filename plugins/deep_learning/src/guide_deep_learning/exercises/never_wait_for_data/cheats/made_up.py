"""Knows what a batch looks like, and makes it itself."""


def batches(make, count):
    for number in range(count):
        if number == 7:
            make(number)
        yield {"number": number, "content": number * 7}
