from bandpress.psnr import psnr


def test_an_error_as_large_as_the_peak_is_0_db_and_none_is_infinite():
    assert psnr(65535.0**2) == 0
    assert psnr(100.0**2, peak=1000.0) == 20
    assert psnr(0) == float("inf")
