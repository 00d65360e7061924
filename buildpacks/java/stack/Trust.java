import java.io.*;
import java.security.KeyStore;
import java.security.cert.*;

/** Makes of a bundle of certificates the key store that Java trusts: the same as every other program of the image. */
public class Trust {
    public static void main(String[] paths) throws Exception {
        KeyStore store = KeyStore.getInstance("JKS");
        store.load(null, null);
        int count = 0;
        try (InputStream bundle = new BufferedInputStream(new FileInputStream(paths[0]))) {
            for (Certificate found : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                store.setCertificateEntry("host-" + count++, found);
            }
        }
        try (OutputStream out = new FileOutputStream(paths[1])) {
            store.store(out, "changeit".toCharArray());
        }
    }
}
