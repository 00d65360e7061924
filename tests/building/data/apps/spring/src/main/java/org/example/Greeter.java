package org.example;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.*;

@SpringBootApplication
@RestController
public class Greeter {
    public static void main(String[] words) {
        SpringApplication.run(Greeter.class, words);
    }

    @GetMapping("/hello/{name}")
    String hello(@PathVariable String name) {
        return "Hello, " + name;
    }
}
