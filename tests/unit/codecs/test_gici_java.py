"""The adapter of the GICI programs, against stand-ins that take the same arguments (the real ones are not ours)."""

import shutil
import subprocess

import numpy as np
import pytest

from baseline_scenes import smooth_scene

pytest.importorskip("glymur", reason="without BOI the components go through JPEG 2000, which needs glymur")

from bandpress.codecs import make_codec
from bandpress.coding import compress, decompress
from bandpress.errors import CodecError, MissingDependencyError

RKLT = """
import java.nio.*; import java.nio.file.*; import java.util.*;
public class Rklt {
  static String[] after(String[] a, String key, int n) {
    int i = Arrays.asList(a).indexOf(key);
    if (i < 0) { System.err.println("no " + key); System.exit(3); }
    return Arrays.copyOfRange(a, i + 1, i + 1 + n);
  }
  public static void main(String[] a) throws Exception {
    boolean forward = after(a, "-d", 1)[0].equals("0");
    String[] ig = after(a, "-ig", 5), og = after(a, "-og", 5);
    if (!ig[4].equals("1") || !og[3].equals("4")) System.exit(4);
    int z = Integer.parseInt(ig[0]), n = Integer.parseInt(ig[1]) * Integer.parseInt(ig[2]), t = Integer.parseInt(ig[3]);
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(Paths.get(after(a, "-i", 1)[0]))).order(ByteOrder.LITTLE_ENDIAN);
    int[] x = new int[z * n];
    for (int i = 0; i < x.length; i++) x[i] = t == 4 ? in.getInt() : t == 3 ? in.getShort() : in.getShort() & 0xffff;
    Path side = Paths.get(after(a, "-ti", 1)[0]);
    if (forward) Files.write(side, "differences".getBytes());
    else if (!new String(Files.readAllBytes(side)).equals("differences")) System.exit(5);
    for (int b = 1; b < z; b++) for (int i = 0; i < n; i++) {
      int band = forward ? z - b : b;
      x[band * n + i] += (forward ? -1 : 1) * x[(band - 1) * n + i];
    }
    ByteBuffer out = ByteBuffer.allocate(4 * x.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int v : x) out.putInt(v);
    Files.write(Paths.get(after(a, "-o", 1)[0]), out.array());
  }
}
"""
BOI = """
import java.io.*; import java.nio.file.*; import java.util.zip.*;
public class Boi {
  public static void main(String[] a) throws Exception {
    byte[] in = Files.readAllBytes(Paths.get(a[1]));
    if (a[0].equals("code")) {
      try (OutputStream o = new GZIPOutputStream(new FileOutputStream(a[2]))) { o.write(in); }
    } else {
      try (InputStream i = new GZIPInputStream(new ByteArrayInputStream(in))) { Files.copy(i, Paths.get(a[2])); }
    }
  }
}
"""


@pytest.fixture(scope="module")
def jars(tmp_path_factory):
    if not (shutil.which("javac") and shutil.which("jar") and shutil.which("java")):
        pytest.skip("javac, jar and java are not all installed")
    folder = tmp_path_factory.mktemp("java")
    for name, source in (("Rklt", RKLT), ("Boi", BOI)):
        (folder / f"{name}.java").write_text(source)
        subprocess.run(["javac", f"{name}.java"], cwd=folder, check=True)
        subprocess.run(["jar", "cfe", f"{name}.jar", name, f"{name}.class"], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("boi", [False, True])
def test_lossless_through_the_programs(tmp_path, monkeypatch, jars, boi):
    monkeypatch.setenv("BANDPRESS_RKLT_JAR", str(jars / "Rklt.jar"))
    if boi:
        monkeypatch.setenv("BANDPRESS_BOI_JAR", str(jars / "Boi.jar"))
        monkeypatch.setenv("BANDPRESS_BOI_ENCODE", "code {input} {output} {bands} {rate}")
        monkeypatch.setenv("BANDPRESS_BOI_DECODE", "decode {input} {output}")
    scene = smooth_scene(bands=5)
    compress(scene, tmp_path / "s.bpk", make_codec("gici-java", lossless=True))
    assert np.array_equal(decompress(tmp_path / "s.bpk").scene.cube, scene.cube)


def test_a_program_that_fails_is_named(tmp_path, monkeypatch, jars):
    monkeypatch.setenv("BANDPRESS_RKLT_JAR", str(jars / "Boi.jar"))
    with pytest.raises(CodecError, match=r"Boi\.jar: exit status 1"):
        compress(smooth_scene(bands=3), tmp_path / "s.bpk", make_codec("gici-java", lossless=True))


def test_a_program_that_is_not_set_is_named_in_the_error(tmp_path, monkeypatch):
    monkeypatch.delenv("BANDPRESS_RKLT_JAR", raising=False)
    with pytest.raises(MissingDependencyError, match="BANDPRESS_RKLT_JAR is not set"):
        compress(smooth_scene(bands=3), tmp_path / "s.bpk", make_codec("gici-java", lossless=True))
