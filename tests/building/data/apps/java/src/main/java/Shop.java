import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Map;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Answers what it found: a dependency that works, the certificates it trusts, and a heap of half its instance's memory. */
public class Shop {
    public static void main(String[] words) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
        Map<String, Object> found = Map.of("greeting", "hello", "certificates", trusted() > 50, "half", isHalf());
        byte[] body = new Gson().toJson(found).getBytes();
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static long trusted() throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((java.security.KeyStore) null);
        return Arrays.stream(factory.getTrustManagers()).mapToLong(one -> ((X509TrustManager) one).getAcceptedIssuers().length).sum();
    }

    private static boolean isHalf() {
        long megabytes = Runtime.getRuntime().maxMemory() >> 20;
        return megabytes > 110 && megabytes <= 128;
    }
}
